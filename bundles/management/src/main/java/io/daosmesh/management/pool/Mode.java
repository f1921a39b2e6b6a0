package io.daosmesh.management.pool;

import io.daosmesh.model.access.Permission;
import io.daosmesh.model.access.Permissions;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/** How a pool or container is opened; their numbers are on the wire and on disk. Source: daos-admin facts 8.4. */
public enum Mode {
    READ_ONLY(1),
    READ_WRITE(2),
    /** Nobody else has it open. */
    EXCLUSIVE(3);

    /** Bits of the rights that an engine looks at. */
    static final int READ = 1;

    static final int WRITE = 2;

    private static final Permissions TO_LOOK =
            Permissions.of(Permission.READ, Permission.GET_PROPERTIES, Permission.GET_ACL);

    private final int number;

    Mode(int number) {
        this.number = number;
    }

    public static Mode of(int number) {
        for (Mode mode : values()) if (mode.number == number) return mode;
        throw Fault.of(FaultCode.INVAL, "%d is no way to open a pool or container", number)
                .remedy("use 1 (read only), 2 (read and write) or 3 (exclusive)")
                .asException();
    }

    int number() {
        return number;
    }

    /** What a handle of a pool is good for: to read, to create and to delete containers; NO_PERM when for nothing. */
    Permissions ofPool(Permissions listed) {
        boolean mayRead = listed.hasAny(Permission.READ, Permission.GET_PROPERTIES);
        boolean mayCreate = listed.hasAny(Permission.WRITE, Permission.CREATE_CONTAINER);
        boolean mayDelete = listed.hasAny(Permission.WRITE, Permission.DELETE_CONTAINER);
        boolean mayOpen = mayRead && (this == READ_ONLY || mayCreate || mayDelete);
        if (!mayOpen) throw refused("pool");
        Permissions rights = Permissions.of(Permission.READ);
        if (this == READ_ONLY) return rights;
        if (mayCreate) rights = rights.and(Permissions.of(Permission.CREATE_CONTAINER));
        if (mayDelete) rights = rights.and(Permissions.of(Permission.DELETE_CONTAINER));
        return rights;
    }

    /** What a handle of a container is good for, in bits; NO_PERM when the user may not open it so. */
    int ofContainer(Permissions listed) {
        boolean isForLooking = listed.only(TO_LOOK).equals(listed);
        if (listed.isEmpty() || this != READ_ONLY && isForLooking) throw refused("container");
        if (this == READ_ONLY && listed.only(TO_LOOK).isEmpty()) throw refused("container");
        int rights = listed.has(Permission.READ) ? READ : 0;
        return this != READ_ONLY && listed.has(Permission.WRITE) ? rights | WRITE : rights;
    }

    private RuntimeException refused(String what) {
        String how = this == READ_ONLY ? "to read" : "to write";
        return Fault.of(FaultCode.NO_PERM, "the %s's access control list does not let you open it %s", what, how)
                .remedy("ask its owner or an administrator to change the list")
                .asException();
    }
}
