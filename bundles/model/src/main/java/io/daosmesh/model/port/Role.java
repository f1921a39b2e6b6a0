package io.daosmesh.model.port;

/** What a certificate entitles to (common name of the certificate, as in DAOS). */
public enum Role {
    SERVER,
    ADMIN,
    AGENT
}
