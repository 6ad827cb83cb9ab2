from silent_refresh import Client, RefreshEndpoint, SilentRefresh

auth = SilentRefresh(RefreshEndpoint("/refresh", revoke="/logout"), login="/login")
client = Client(auth=auth)
