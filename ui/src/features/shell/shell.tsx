import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { Activity, Boxes, FileText, LayoutDashboard, Moon, Rocket, Search, Sun, SunMoon, Workflow } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { flowRunCount } from "@/api/flow-runs";
import { type Connection, useConnection } from "@/api/live";
import { IconButton } from "@/components/button";
import { cx } from "@/components/cx";
import { StateMark } from "@/components/state";
import { chooseTheme, type Theme, useTheme } from "@/components/theme";
import { TipLayer } from "@/components/tip";
import { Toasts } from "@/components/toast";
import { formatShortCount } from "@/format/quantity";
import { Logo } from "./logo";

const Finder = lazy(() => import("./finder"));

const ROOMS = [
  { to: "/", name: "Overview", icon: LayoutDashboard },
  { to: "/runs", name: "Runs", icon: Activity },
  { to: "/flows", name: "Flows", icon: Workflow },
  { to: "/deployments", name: "Deployments", icon: Rocket },
  { to: "/work-pools", name: "Work pools", icon: Boxes },
  { to: "/artifacts", name: "Artifacts", icon: FileText },
] as const;

/** What is around every page: where one can go, whether the page is live, light or dark. */
export function Shell() {
  const [finding, setFinding] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setFinding(true);
      }
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
  return (
    <div className="md:grid md:min-h-dvh md:grid-cols-[13.5rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="-translate-y-16 fixed top-2 left-2 z-50 rounded-md bg-ink px-3 py-1.5 text-on-ink focus:translate-y-0"
      >
        Skip to the content
      </a>
      <div className="hidden md:block">
        <div className="sticky top-0 flex h-dvh flex-col gap-5 border-line border-r bg-bed px-3 py-4">
          <Brand />
          <button
            type="button"
            onClick={() => setFinding(true)}
            className="flex h-8 items-center gap-2 rounded-md border border-line bg-paper px-2.5 text-ink-3 shadow-shade hover:border-line-strong"
          >
            <Search className="size-3.5" />
            Find
            <kbd className="ml-auto rounded-sm border border-line px-1 font-sans text-2xs">
              {isMac() ? "⌘" : "Ctrl"} K
            </kbd>
          </button>
          <nav aria-label="Rooms" className="flex flex-col gap-0.5">
            {ROOMS.map((room) => (
              <Room key={room.to} {...room} beside={room.to === "/runs" ? <Running /> : null} />
            ))}
          </nav>
          <div className="mt-auto flex items-center justify-between gap-2 pl-2">
            <ConnectionLine />
            <ThemeButton />
          </div>
        </div>
      </div>
      <header className="sticky top-0 z-20 flex h-12 items-center gap-1 border-line border-b bg-bed/95 pr-2 pl-4 md:hidden">
        <Brand />
        <span className="ml-auto" />
        <ConnectionLine short />
        <IconButton label="Find" onClick={() => setFinding(true)}>
          <Search />
        </IconButton>
        <ThemeButton />
      </header>
      <div id="content" className="min-w-0 pb-16 md:pb-0">
        <Outlet />
      </div>
      <nav
        aria-label="Rooms"
        className="fixed inset-x-0 bottom-0 z-20 grid grid-cols-6 border-line border-t bg-bed pb-[env(safe-area-inset-bottom)] md:hidden"
      >
        {ROOMS.map(({ to, name, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            activeOptions={{ exact: to === "/", includeSearch: false }}
            className="flex flex-col items-center gap-0.5 py-2 text-2xs text-ink-3 aria-[current=page]:font-semibold aria-[current=page]:text-ink"
          >
            <Icon className="size-[18px]" />
            <span className="cut max-w-full text-[0.625rem] tracking-[-0.01em]">{name}</span>
          </Link>
        ))}
      </nav>
      {finding && (
        <Suspense>
          <Finder close={() => setFinding(false)} />
        </Suspense>
      )}
      <Toasts />
      <TipLayer />
    </div>
  );
}

function isMac(): boolean {
  return /mac|iphone|ipad/i.test(navigator.userAgent);
}

function Brand() {
  return (
    <Link to="/" className="flex w-fit items-center gap-2 rounded-md px-1.5 font-semibold text-md tracking-[-0.015em]">
      <Logo className="size-6" />
      Headrace
    </Link>
  );
}

interface RoomProps {
  to: (typeof ROOMS)[number]["to"];
  name: string;
  icon: typeof Activity;
  beside: ReactNode;
}

function Room({ to, name, icon: Icon, beside }: RoomProps) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: to === "/", includeSearch: false }}
      className={cx(
        "relative flex h-8 items-center gap-2.5 rounded-md px-2 text-ink-2 hover:bg-hover hover:text-ink",
        "aria-[current=page]:bg-press aria-[current=page]:font-semibold aria-[current=page]:text-ink",
      )}
    >
      <Icon className="size-4 text-ink-3" />
      {name}
      {beside}
    </Link>
  );
}

/** How many flow runs are running now. */
function Running() {
  const { data } = useQuery(flowRunCount({ flow_runs: { state: { type: { any_: ["RUNNING"] } } } }));
  if (!data) return null;
  return (
    <span
      data-tip={`${data} running now`}
      className="ml-auto inline-flex items-center gap-1 font-medium text-running-ink text-xs"
    >
      <StateMark type="RUNNING" className="size-3.5" />
      {formatShortCount(data)}
    </span>
  );
}

const SAID: Record<Connection, { word: string; tip: string; dot: string }> = {
  connecting: { word: "Connecting", tip: "Connecting to the server", dot: "bg-ink-3 breathing" },
  live: { word: "Live", tip: "What you see changes as it happens", dot: "bg-completed" },
  polling: {
    word: "Every 5 s",
    tip: "The server sends no live changes; the page asks every 5 seconds",
    dot: "bg-waiting",
  },
  away: { word: "Offline", tip: "The server does not answer; the page keeps trying", dot: "bg-failed" },
};

function ConnectionLine({ short }: { short?: boolean }) {
  const said = SAID[useConnection()];
  return (
    <span role="status" data-tip={said.tip} className="inline-flex items-center gap-2 px-1 text-ink-3 text-xs">
      <span aria-hidden="true" className={cx("size-1.5 rounded-full", said.dot)} />
      <span className={cx(short && "sr-only")}>{said.word}</span>
    </span>
  );
}

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function ThemeButton() {
  const theme = useTheme();
  return (
    <IconButton
      label={`Colours: ${theme}; change to ${NEXT[theme]}`}
      size="sm"
      onClick={() => chooseTheme(NEXT[theme])}
    >
      {theme === "system" ? <SunMoon /> : theme === "light" ? <Sun /> : <Moon />}
    </IconButton>
  );
}
