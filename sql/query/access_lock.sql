-- Grants come one after the other: two at a time cannot change the rights to the same function.
lock table @extschema@.vb_client_access in share row exclusive mode
