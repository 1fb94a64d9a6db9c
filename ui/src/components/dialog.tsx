import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Button, IconButton } from "./button";
import { cx } from "./cx";

const BACKDROP = "fading fixed inset-0 z-40 bg-scrim";
const POPUP =
  "rising fixed inset-x-3 top-[max(1rem,12vh)] z-40 mx-auto flex max-h-[calc(100dvh-max(1rem,12vh)-1rem)] flex-col overflow-hidden rounded-lg bg-paper shadow-float outline-none";

interface DialogProps {
  open: boolean;
  close: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
}

export function Dialog({ open, close, title, description, children, footer, wide }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && close()}>
      <Base.Portal>
        <Base.Backdrop className={BACKDROP} />
        <Base.Popup className={cx(POPUP, wide ? "max-w-2xl" : "max-w-lg")}>
          <div className="flex items-start justify-between gap-4 border-line border-b py-3 pr-3 pl-5">
            <div className="min-w-0">
              <Base.Title className="font-semibold text-md">{title}</Base.Title>
              {description && <Base.Description className="mt-0.5 text-ink-2">{description}</Base.Description>}
            </div>
            <Base.Close render={<IconButton label="Close" size="sm" />}>
              <X />
            </Base.Close>
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
          {footer && (
            <div className="flex flex-wrap items-center justify-end gap-2 border-line border-t bg-bed px-5 py-3">
              {footer}
            </div>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  close: () => void;
  title: string;
  /** What will happen, and whether it can be undone. */
  children: ReactNode;
  /** The verb on the button. */
  verb: string;
  danger?: boolean;
  busy?: boolean;
  confirm: () => void;
}

export function Confirm({ open, close, title, children, verb, danger, busy, confirm }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && close()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={BACKDROP} />
        <AlertDialog.Popup className={cx(POPUP, "max-w-md")}>
          <div className="px-5 pt-4 pb-5">
            <AlertDialog.Title className="font-semibold text-md">{title}</AlertDialog.Title>
            <AlertDialog.Description className="mt-1.5 text-ink-2" render={<div />}>
              {children}
            </AlertDialog.Description>
          </div>
          <div className="flex justify-end gap-2 border-line border-t bg-bed px-5 py-3">
            <AlertDialog.Close render={<Button />}>Keep it as it is</AlertDialog.Close>
            <Button look={danger ? "danger" : "ink"} busy={busy} onClick={confirm}>
              {verb}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
