"""Generated run names: an adjective and an animal, such as `quiet-heron`."""

from __future__ import annotations

import os

ADJECTIVES = (
    "able amber ample apt ardent azure balmy bold brave breezy bright brisk broad calm candid cheery chief civil clean clear clever "
    "cobalt cool copper coral cosmic cozy crimson crisp curious dapper daring deft devout dewy eager early earnest easy elated elder "
    "emerald epic even exact fabled fair famous fancy fast festive fiery fine firm fleet fluent fond frank free fresh frosty gallant "
    "genial gentle gifted giddy glad golden grand great green hale handy happy hardy hazel hearty honest humble hushed ideal indigo "
    "ivory jade jaunty jolly jovial keen kind lavish lean lilac lively loyal lucid lucky lunar lush maroon mellow merry mighty mild "
    "misty modest neat nimble noble novel ochre olive opal open orange patient pearly placid plucky polite proper proud pure quaint "
    "quick quiet rapid rare ready regal robust rosy royal ruby russet rustic sage scarlet serene sharp shiny silent silver sleek "
    "smart smooth snowy solar solid sonic spry stable stately steady sterling stout strong sturdy sunny super swift tame tawny teal "
    "tender tidal tidy topaz true trusty umber upbeat urbane valiant velvet vibrant violet vivid warm wise witty woven young zesty"
).split()

ANIMALS = (
    "albatross alpaca ant antelope armadillo avocet badger barracuda bat bear beaver bee bison bittern blackbird boa bobcat bream "
    "buffalo bullfinch bumblebee buzzard camel capybara caracal caribou carp cat chamois cheetah chinchilla chipmunk cicada civet "
    "cobra cod condor coot cormorant cougar coyote crab crane cricket crow cuckoo curlew deer dingo dolphin dormouse dove dragonfly "
    "duck dunlin eagle echidna eel egret eider elephant elk emu falcon ferret finch firefly flamingo fox frog gannet gazelle gecko "
    "gerbil gibbon giraffe gnu goat goldfinch goose goshawk grebe grouse gull guppy hamster hare hawk hedgehog heron herring hornet "
    "horse ibex ibis iguana impala jackal jackdaw jaguar jay kestrel kingfisher kite kiwi koala kudu ladybird lamprey lapwing lark "
    "lemming lemur leopard linnet lion lizard llama lobster loon lynx macaw magpie mallard manatee marmot marten martin meerkat mink "
    "mole mongoose moose moth mouse narwhal newt nightjar numbat nuthatch ocelot octopus okapi opossum orca oriole oryx osprey otter "
    "owl ox oyster panda panther parrot partridge pelican penguin perch petrel pheasant pigeon pika pike pipit plover polecat pony "
    "porcupine possum puffin puma python quail quokka rabbit raccoon raven ray redstart reindeer robin rook salmon sandpiper seal "
    "shark sheep shrew shrike siskin skylark sloth snail snipe sparrow squid squirrel starling stoat stork sturgeon swallow swan "
    "swift tapir tern thrush tiger toad toucan trout tuna turtle viper vole wagtail walrus warbler weasel whale wigeon wolf wombat "
    "woodcock woodpecker wren yak zebra"
).split()


def generate_name() -> str:
    """A pleasant name for a run. Names are for people: they are not unique."""
    random = int.from_bytes(os.urandom(4), "big")
    return f"{ADJECTIVES[random % len(ADJECTIVES)]}-{ANIMALS[(random >> 12) % len(ANIMALS)]}"
