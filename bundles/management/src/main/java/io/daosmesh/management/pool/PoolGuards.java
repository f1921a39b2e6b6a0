package io.daosmesh.management.pool;

import io.daosmesh.model.access.Acl;
import io.daosmesh.model.access.Guarded;
import io.daosmesh.model.access.Principal;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.AclMessage;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolEntryMessage;

/** Owners and access control lists of pools, as entries of the databases hold them. Pure. */
public final class PoolGuards {
    /** Of pools that were made when nobody had to be named. */
    private static final String ROOT = "root@";

    private PoolGuards() {}

    /** Whom a pool is made for; INVAL for names and lists that are none. */
    public static Guarded wanted(PoolCreateRequest r) {
        return new Guarded(
                Guarded.Kind.POOL,
                r.getUser().isEmpty() ? ROOT : r.getUser(),
                r.getGroup().isEmpty() ? ROOT : r.getGroup(),
                r.hasAcl() ? Acl.of(r.getAcl().getEntriesList()) : Guarded.Kind.POOL.defaultAcl());
    }

    public static PoolEntryMessage.Builder write(PoolEntryMessage.Builder entry, Guarded g) {
        return entry.setUser(g.owner())
                .setGroup(g.group())
                .setAcl(AclMessage.newBuilder().addAllEntries(g.acl().lines()));
    }

    public static Guarded of(PoolEntryMessage entry) {
        return new Guarded(
                Guarded.Kind.POOL,
                named(entry.getUser()),
                named(entry.getGroup()),
                entry.hasAcl() ? Acl.of(entry.getAcl().getEntriesList()) : Guarded.Kind.POOL.defaultAcl());
    }

    /** Older entries hold whatever an administrator had typed. */
    private static String named(String name) {
        String local = name.endsWith("@") ? name : name + "@";
        try {
            Principal.checkName(local);
            return local;
        } catch (FaultException e) {
            return ROOT;
        }
    }

    /** The user can connect to the pool, if only to look. */
    public static boolean isOpenTo(User user, PoolEntryMessage entry) {
        try {
            Mode.READ_ONLY.ofPool(of(entry).permissions(user));
            return true;
        } catch (FaultException e) {
            return false;
        }
    }

    /** What clients are told: neither the list nor what would let them speak for an administrator's request. */
    public static PoolEntryMessage forClients(PoolEntryMessage entry) {
        return entry.toBuilder()
                .clearAcl()
                .clearRequestId()
                .clearDestroyRequestId()
                .build();
    }
}
