import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/queries";
import { Door } from "./features/session/door";
import { router } from "./routes/router";
import "./styles/app.css";

const place = document.getElementById("root");
if (!place) throw new Error("The page has no place for the application.");

createRoot(place).render(
  <StrictMode>
    {/* The content security policy allows no inline styles, so the primitives must not write any. */}
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <Door>
          <RouterProvider router={router} />
        </Door>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
