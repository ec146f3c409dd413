-- Not in the install script, so that a restored dump brings its own.
insert into @extschema@.vb_installation default values on conflict do nothing
