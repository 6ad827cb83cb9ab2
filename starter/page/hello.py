from session import client


async def greeting():
    response = await client.get("/api/profile")  # expired? renewed and replayed, unseen
    profile = await response.raise_for_status().json()
    return f"Hello, {profile['name']}"
