package io.daosmesh.model.access;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Locale;

/**
 * A pool or container as those who want in see it: who owns it, and its access control list. Immutable.
 *
 * @param owner name of a user with its {@code @}
 * @param group name of a group
 */
public record Guarded(Kind kind, String owner, String group, Acl acl) {
    /** What can be guarded, with the rights that mean something for it and the list it has when nobody gave one. */
    public enum Kind {
        POOL("rwcdt", "", Acl.of("A::OWNER@:rw", "A:G:GROUP@:rw")),
        /** Its owner can always see and set the list, so that nobody locks himself out. */
        CONTAINER("rwdtTaAo", "aA", Acl.of("A::OWNER@:rwdtTaAo", "A:G:GROUP@:rwtT"));

        private final Permissions valid;
        private final Permissions ofOwner;
        private final Acl otherwise;

        Kind(String valid, String ofOwner, Acl otherwise) {
            this.valid = Permissions.parse(valid);
            this.ofOwner = Permissions.parse(ofOwner);
            this.otherwise = otherwise;
        }

        /** INVAL when an entry gives a permission that means nothing here. */
        public void check(Acl acl) {
            for (Ace e : acl.entries()) {
                if (e.permissions().only(valid).equals(e.permissions())) continue;
                throw Fault.of(
                                FaultCode.INVAL,
                                "entry %s: a %s has the permissions %s",
                                e,
                                name().toLowerCase(Locale.ROOT),
                                valid)
                        .asException();
            }
        }

        /** The list of one that nobody gave a list. */
        public Acl defaultAcl() {
            return otherwise;
        }
    }

    public Guarded {
        Principal.checkName(owner);
        Principal.checkName(group);
        kind.check(acl);
    }

    /** @param lines entries; none = the default list */
    public static Guarded of(Kind kind, String owner, String group, List<String> lines) {
        return new Guarded(kind, owner, group, lines.isEmpty() ? kind.otherwise : Acl.of(lines));
    }

    public Permissions permissions(User user) {
        Permissions listed = acl.permissions(user, owner, group);
        return user.user().equals(owner) ? listed.and(kind.ofOwner) : listed;
    }

    public Guarded with(Acl next) {
        return new Guarded(kind, owner, group, next);
    }

    /** @param nextOwner empty = as it is; the same for the group */
    public Guarded ownedBy(String nextOwner, String nextGroup) {
        return new Guarded(kind, nextOwner.isEmpty() ? owner : nextOwner, nextGroup.isEmpty() ? group : nextGroup, acl);
    }
}
