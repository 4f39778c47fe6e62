-- The privileges of the owner of the tables: it creates them and runs the migrations, and no service connects as it. Run
-- this as a superuser or the owner of the schema. Before, create the role, with a password:
--   CREATE ROLE ds_owner LOGIN;
-- For another name, replace ds_owner; for another schema, public. Then run the migrations as this role, and the other
-- files in this folder.

GRANT USAGE, CREATE ON SCHEMA public TO ds_owner WITH GRANT OPTION;
