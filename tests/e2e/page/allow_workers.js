// Under `require-trusted-types-for 'script'` a worker's URL must be one that the page vouches for; PyScript hands
// the browser a plain string, so the page's default policy vouches for the blobs of its own origin, and for no other.
trustedTypes.createPolicy("default", {
  createScriptURL: (url) => (url.startsWith(`blob:${location.origin}/`) ? url : null),
});
