-- What an account may do beyond reading: dispatch, export, positions (onemap.domain.scope.Permission).
ALTER TABLE core.account ADD COLUMN permissions text[] NOT NULL DEFAULT '{}';
