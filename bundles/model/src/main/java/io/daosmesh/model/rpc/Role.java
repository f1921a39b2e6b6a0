package io.daosmesh.model.rpc;

/** What a certificate entitles to (common name of the certificate, as in DAOS). */
public enum Role {
    SERVER,
    ADMIN,
    AGENT
}
