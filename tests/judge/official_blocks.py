"""Blocks of the contract's own client: its own types, and one that the server has never heard of."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from pydantic import SecretStr


class Login(Block):
    """Who somebody is."""

    user: str
    password: SecretStr


class Shop(Block):
    login: Login
    spare: Login | None = None


Secret(value="first").save("token")
Secret(value={"a": ["second"]}).save("token", overwrite=True)
print(Secret.load("token").get())

login = Login(user="me", password="pa55")
login.save("mine")
Shop(login=login, spare=Login(user="spare", password="5pare")).save("shop")
shop = Shop.load("shop")
print(shop.login.password.get_secret_value(), shop.spare.password.get_secret_value())
try:
    Login(user="you", password="x").save("mine")
except ValueError as error:
    print(type(error).__name__)
Login.delete("mine")
print(Block.load("secret/token").get())
