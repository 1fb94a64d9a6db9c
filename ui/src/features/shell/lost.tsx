import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { ApiError, isLost } from "@/api/fetch";
import { Button, buttonClass } from "@/components/button";
import { Empty } from "@/components/empty";
import { Failure } from "@/components/failure";
import { Page } from "@/components/page";

/** An address that leads nowhere. */
export function Lost() {
  return (
    <Page name="Not found">
      <Empty
        title="There is no page at this address"
        action={
          <Link to="/" className={buttonClass()}>
            To the overview
          </Link>
        }
      >
        It may have been deleted, or the address has been cut short.
      </Empty>
    </Page>
  );
}

/** A page that could not be shown. */
export function Broken({ error, reset }: ErrorComponentProps) {
  if (isLost(error)) return <Lost />;
  const signedOut = error instanceof ApiError && error.status === 401;
  // A new version of the server has other files: a page opened before asks for parts that are gone.
  const message = error instanceof Error ? error.message : "";
  const stale = /dynamically imported module|Importing a module script/i.test(message);
  if (signedOut || stale) {
    return (
      <Page name="Reload">
        <Empty
          title={signedOut ? "You are not signed in" : "There is a newer version of this page"}
          action={<Button onClick={() => location.reload()}>Load it again</Button>}
        />
      </Page>
    );
  }
  return (
    <Page name="Error">
      <Failure error={error} retry={reset} />
    </Page>
  );
}
