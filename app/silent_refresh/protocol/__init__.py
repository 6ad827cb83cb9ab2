"""How token servers are spoken to: the refresh call, sign-in at a provider, revocation."""
