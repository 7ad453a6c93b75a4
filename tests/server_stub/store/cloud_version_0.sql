BEGIN TRANSACTION;
CREATE TABLE attempts (
	subject VARCHAR NOT NULL, 
	method VARCHAR NOT NULL, 
	failures INTEGER NOT NULL, 
	locked_until FLOAT NOT NULL, 
	PRIMARY KEY (subject, method)
);
INSERT INTO "attempts" VALUES('9c9ea5d4-bc82-4bb8-bbea-96aa373b5bdc','offline_qrcode',0,0.0);
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
INSERT INTO "audit" VALUES(1,1.79533703812634515759e+09,'token.import','done',NULL,'{"serial":"QT1-00000002","token":"9c9ea5d4-bc82-4bb8-bbea-96aa373b5bdc"}','4cef2ae62275a07c0e5ae881d4cb2d66d29855fef4fd6e0e3d53472fc4aab84e');
INSERT INTO "audit" VALUES(2,1.79533703812929558755e+09,'token.assign','done','8cd48cf3d379abefadfd92fac5b989a4','{"token":"9c9ea5d4-bc82-4bb8-bbea-96aa373b5bdc"}','1d3f787475854fd2c45c1eb922b6efda10834e67bef0850420cab57f1cd8c64b');
INSERT INTO "audit" VALUES(3,1.79533703814913749691e+09,'challenge.issue','login','8cd48cf3d379abefadfd92fac5b989a4','{"challenge":"0028461003dbab3cca198539"}','c5217dac6aa5a591430e10f497255f9361db44758f30c865606751a415cd5d36');
INSERT INTO "audit" VALUES(4,1795337038.15781,'challenge.verify','approved','8cd48cf3d379abefadfd92fac5b989a4','{"challenge":"0028461003dbab3cca198539","token":"9c9ea5d4-bc82-4bb8-bbea-96aa373b5bdc"}','1f803968130f90d3f607d9c579e317df9a70ea2e49b1a9adf3b4aadab3ea0d91');
CREATE TABLE challenges (
	id VARCHAR NOT NULL, 
	token_id VARCHAR NOT NULL, 
	user_id VARCHAR NOT NULL, 
	reference VARCHAR NOT NULL, 
	header BLOB NOT NULL, 
	body BLOB NOT NULL, 
	issued_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	wrong INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(token_id) REFERENCES tokens (id)
);
INSERT INTO "challenges" VALUES('0028461003dbab3cca198539','9c9ea5d4-bc82-4bb8-bbea-96aa373b5bdc','8cd48cf3d379abefadfd92fac5b989a4','session-1',X'0101010035DCADFC0028461003DBAB3CCA1985396B02AB4E00B4',X'030A09452D42616E6B696E670B0575736572310C093132372E302E302E31',1.79533703814913749691e+09,1795337218.0,0,'used');
CREATE TABLE tokens (
	id VARCHAR NOT NULL, 
	serial VARCHAR NOT NULL, 
	sealed_seed BLOB NOT NULL, 
	display_name VARCHAR NOT NULL, 
	user_id VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (serial)
);
INSERT INTO "tokens" VALUES('9c9ea5d4-bc82-4bb8-bbea-96aa373b5bdc','QT1-00000002',X'3DB07C12C55F5E3DF1418786C688F4EA4D5B936562FDD885642932D697C7D569067F5531151ADCD24C185A5AA26BDC8E86F8C678F727A5BA97A39E32','Token QT1-00000002','8cd48cf3d379abefadfd92fac5b989a4');
CREATE INDEX ix_tokens_user_id ON tokens (user_id);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE INDEX challenges_of_reference ON challenges (reference, state);
CREATE INDEX challenges_of_token ON challenges (token_id, state);
COMMIT;
