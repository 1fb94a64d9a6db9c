"""Projects: folders of flows, the file that says how they are deployed, and how their code is brought to where it runs."""
