BEGIN TRANSACTION;
CREATE TABLE approvals (
	id INTEGER NOT NULL, 
	token_hash BLOB NOT NULL, 
	flow VARCHAR NOT NULL, 
	step VARCHAR, 
	user_id BLOB, 
	device_id VARCHAR, 
	"transaction" VARCHAR, 
	challenge_id VARCHAR, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (token_hash), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE TABLE attempts (
	subject VARCHAR NOT NULL, 
	method VARCHAR NOT NULL, 
	failures INTEGER NOT NULL, 
	locked_until FLOAT NOT NULL, 
	PRIMARY KEY (subject, method)
);
INSERT INTO "attempts" VALUES('8cd48cf3d379abefadfd92fac5b989a4','PASSWORD',1,0.0);
CREATE TABLE audit (
	sequence INTEGER NOT NULL, 
	time FLOAT NOT NULL, 
	event VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	user VARCHAR, 
	detail VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (sequence)
);
INSERT INTO "audit" VALUES(1,1.79533703812003660204e+09,'admin.user.add','done','8cd48cf3d379abefadfd92fac5b989a4','{}','4ccfb25c28f67ebd057270da0f0161b424c3121809b90ada2c2b137f070e6f41');
INSERT INTO "audit" VALUES(2,1.79533703813182449345e+09,'admin.token.assign','done','8cd48cf3d379abefadfd92fac5b989a4','{"token":"9c9ea5d4-bc82-4bb8-bbea-96aa373b5bdc"}','1e83fd6482fa1c7da8d395444cabe6b9859f3b73289e1eb5da98ea14a6b3ce8d');
INSERT INTO "audit" VALUES(3,1.79533703813391184805e+09,'access','password-then-offline-qr',NULL,'{"application":"ebanking","why":["payments need a token: applies"]}','c29f35c04bbe233e51bb498ce093dc062ceb8e743cd9837a97e9f5b724dd8333');
INSERT INTO "audit" VALUES(4,1.79533703814407277106e+09,'step','PASSWORD','8cd48cf3d379abefadfd92fac5b989a4','{"application":"ebanking","session":"session-1"}','c957de9341ea9df9a2b718f71c444aa276f4bad520b3cdbe9a16152334e1965e');
INSERT INTO "audit" VALUES(5,1.79533703816308546066e+09,'step','OFFLINE_QR','8cd48cf3d379abefadfd92fac5b989a4','{"application":"ebanking","session":"session-1"}','7e967116af92d992614ff627505084d4e11dfca6ece6778ab7afb78dba560210');
INSERT INTO "audit" VALUES(6,1.79533703816308546066e+09,'login','authenticated','8cd48cf3d379abefadfd92fac5b989a4','{"application":"ebanking","by":["PASSWORD","OFFLINE_QR"],"session":"session-1"}','7e10ae7607a5c06d86ad60201b7ad1bb03510e756b364cbad5707a167c5a52cd');
INSERT INTO "audit" VALUES(7,1.79533703816596055028e+09,'access','password',NULL,'{"application":"self-service","why":["payments need a token: application is not one of ebanking","from outside with a security key: application is not one of vpn","manage your own keys: applies"]}','f8446bccb9846cbf52eef6b8a1f399acf7a05c21a3a31a5241739bd60e826cba');
INSERT INTO "audit" VALUES(8,1.79533703817007160184e+09,'password','wrong','8cd48cf3d379abefadfd92fac5b989a4','{}','81341b5110638e8f5f9ddec9278d61be1a14972677ffff39f7c585ad1165e839');
CREATE TABLE badges (
	id BLOB NOT NULL, 
	user_id BLOB NOT NULL, 
	kind VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE TABLE fido_credentials (
	id BLOB NOT NULL, 
	user_id BLOB NOT NULL, 
	rp_id VARCHAR NOT NULL, 
	display_name VARCHAR NOT NULL, 
	credential_data BLOB NOT NULL, 
	sign_count INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE TABLE sessions (
	id INTEGER NOT NULL, 
	token_hash BLOB NOT NULL, 
	application VARCHAR NOT NULL, 
	flow VARCHAR NOT NULL, 
	user_id BLOB, 
	passed VARCHAR NOT NULL, 
	pending VARCHAR NOT NULL, 
	authenticated_at FLOAT, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (token_hash), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "sessions" VALUES(1,X'BF4B8161DBC47EA430928992E8576CD7E03A6863598BB991DB32E5F02E7CBE7D','ebanking','password-then-offline-qr',X'8CD48CF3D379ABEFADFD92FAC5B989A4','[{"method":"PASSWORD","at":1795337038.1440728},{"method":"OFFLINE_QR","at":1795337038.1630855}]','{}',1.79533703816308546066e+09,1.79534063816308546066e+09);
INSERT INTO "sessions" VALUES(2,X'E2AF5D2CCFE04F7D510615E4D109CC21615F26EFAA82E0FB2579917ED05A9A6E','self-service','password',NULL,'[]','{}',NULL,1.79533763816596055032e+09);
CREATE TABLE users (
	id BLOB NOT NULL, 
	username VARCHAR NOT NULL, 
	password_hash VARCHAR NOT NULL, 
	sealed_badge_key BLOB NOT NULL, 
	groups VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (username)
);
INSERT INTO "users" VALUES(X'8CD48CF3D379ABEFADFD92FAC5B989A4','user1','$argon2id$v=19$m=64,t=1,p=1$Ri/WwSWq4k/OLPaHsTwrkg$hA+7EaCw97mmPteVf98N78MitIrPnlgUKX23yp4W1mY',X'9ED9FD8FB566F084C1D6E363709A12D13404018C056F392B3C1E5165ED99D6CEA6B5A92DE87AE99263C4B802D549757C042BFA9686C8B7391A0E43AB','[]');
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE INDEX ix_badges_user_id ON badges (user_id);
CREATE INDEX fido_credentials_of_user ON fido_credentials (user_id, rp_id);
COMMIT;
