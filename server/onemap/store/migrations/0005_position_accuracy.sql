-- As precise as it was reported: a four-byte number came back as 8.300000190734863.
ALTER TABLE core.responder_position ALTER COLUMN accuracy_m TYPE double precision;
