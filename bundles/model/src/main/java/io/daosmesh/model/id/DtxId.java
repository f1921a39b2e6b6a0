package io.daosmesh.model.id;

import java.util.UUID;

/** Identity of one update: the client's UUID and its clock. A resend keeps it. Immutable. */
public record DtxId(UUID client, long hlc) {}
