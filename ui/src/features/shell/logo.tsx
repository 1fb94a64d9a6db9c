/** The channel that brings the flow to the wheel. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" className={className} fill="none" strokeLinecap="round">
      <path d="M1.6 5.1h8.6c6.4 0 11.2 3.5 12.1 9.6" stroke="var(--water)" strokeWidth="2.6" />
      <g stroke="currentColor">
        <circle cx="11.2" cy="15" r="6.3" strokeWidth="2" />
        <path d="M11.2 8.7v12.6M5.75 11.85l10.9 6.3M5.75 18.15l10.9-6.3" strokeWidth="1.5" />
      </g>
      <circle cx="11.2" cy="15" r="1.9" fill="currentColor" />
    </svg>
  );
}
