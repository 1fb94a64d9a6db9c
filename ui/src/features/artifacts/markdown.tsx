import { Image } from "lucide-react";
import type { ComponentProps } from "react";
import ReactMarkdown from "react-markdown";
import rehypeSanitize from "rehype-sanitize";
import remarkGfm from "remark-gfm";
import "@/styles/markdown.css";

/** Nothing leaves for another host by being looked at: a picture from elsewhere is a link to it. */
function Picture({ src, alt }: ComponentProps<"img">) {
  const address = typeof src === "string" ? src : "";
  if (address.startsWith("/") || address.startsWith("data:image/"))
    return <img src={address} alt={alt ?? ""} className="max-w-full" />;
  return (
    <a href={address} target="_blank" rel="noreferrer noopener" className="inline-flex items-center gap-1.5">
      <Image className="size-4" aria-hidden="true" />
      {alt || address}
    </a>
  );
}

function Anchor({ href, children }: ComponentProps<"a">) {
  const outside = /^[a-z]+:/i.test(href ?? "");
  return (
    <a href={href} {...(outside ? { target: "_blank", rel: "noreferrer noopener" } : {})}>
      {children}
    </a>
  );
}

/** The page has its own first heading; those of a report stand under it. */
const HEADINGS = { h1: "h2", h2: "h3", h3: "h4", h4: "h5", h5: "h6" } as const;

/** A table may be wider than the page. */
function Table({ children }: ComponentProps<"table">) {
  return (
    <div className="scroll-x">
      <table>{children}</table>
    </div>
  );
}

export default function Markdown({ children }: { children: string }) {
  return (
    <div className="markdown">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        rehypePlugins={[rehypeSanitize]}
        components={{ ...HEADINGS, img: Picture, a: Anchor, table: Table }}
      >
        {children}
      </ReactMarkdown>
    </div>
  );
}
