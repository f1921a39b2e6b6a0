package io.daosmesh.cli.daos;

import io.daosmesh.client.dfs.DfsPath;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/** {@code daos://POOL/CONT/PATH}. Immutable. */
record DaosAddress(String pool, String container, DfsPath path) {
    private static final String SCHEME = "daos://";

    static boolean isOne(String text) {
        return text.startsWith(SCHEME);
    }

    static DaosAddress parse(String text) {
        String[] parts = isOne(text) ? text.substring(SCHEME.length()).split("/", 3) : new String[0];
        if (parts.length < 2 || parts[0].isEmpty() || parts[1].isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "'%s' is not of the form daos://POOL/CONT/PATH", text)
                    .asException();
        }
        return new DaosAddress(parts[0], parts[1], DfsPath.parse(parts.length > 2 ? parts[2] : ""));
    }
}
