DROP TABLE client_secrets;
DROP FUNCTION check_client_secrets();
DROP TABLE clients;
