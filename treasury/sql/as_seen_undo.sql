DROP FUNCTION treasury_settle_as_seen(uuid, uuid, text, jsonb, bytea, bytea, jsonb, jsonb);
DROP FUNCTION treasury_standing(uuid, uuid);
