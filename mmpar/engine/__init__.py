"""MMEngine hooks, and what else joins the Runner."""
