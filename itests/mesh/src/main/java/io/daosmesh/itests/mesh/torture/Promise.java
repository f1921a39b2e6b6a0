package io.daosmesh.itests.mesh.torture;

/** Classes of data that are tortured, by what is promised for them (docs/durability.md). */
enum Promise {
    /** Unavailable while its node is away, and right whenever it is answered. */
    SINGLE("S1"),
    PAIR("RP_2GX"),
    TRIPLE("RP_3GX");

    private final String objectClass;

    Promise(String objectClass) {
        this.objectClass = objectClass;
    }

    String objectClass() {
        return objectClass;
    }

    /** Can be read with any one domain out. */
    boolean isRedundant() {
        return this != SINGLE;
    }
}
