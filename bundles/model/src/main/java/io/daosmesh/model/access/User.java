package io.daosmesh.model.access;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.CredentialMessage;
import java.util.List;

/**
 * The person or service on whose behalf a client calls, as the agent of its machine says. Immutable. Names are those of the
 * machine with {@code @} behind them, as in DAOS: {@code alice@}; a number where the machine has no name.
 *
 * @param group primary group
 * @param groups all groups, the primary one included or not
 * @param machine name of the machine
 */
public record User(String user, String group, List<String> groups, String machine) {
    /** Longest name of a user, a group or a machine, in characters; DAOS allows 255 for principals with their {@code @}. */
    public static final int NAME_MAX = 255;

    /** More groups than Linux gives a process by default through NFS or LDAP are of no use to anybody. */
    public static final int GROUPS_MAX = 64;

    /** INVAL when a name is empty, too long, or holds anything but printable ASCII, or when there are too many groups. */
    public User {
        check("user", user, true);
        check("group", group, true);
        check("machine", machine, false);
        if (groups.size() > GROUPS_MAX) throw wrong("%d groups, more than %d", groups.size(), GROUPS_MAX);
        groups.forEach(g -> check("group", g, true));
        groups = List.copyOf(groups);
    }

    public static User of(CredentialMessage c) {
        return new User(c.getUser(), c.getGroup(), c.getGroupsList(), c.getMachine());
    }

    /** A name of this machine with its {@code @}, or the number in its place where the name has odd characters. */
    public static String principal(String name, String number) {
        return (isName(name) && !name.isEmpty() ? name : number) + "@";
    }

    public boolean isIn(String name) {
        return group.equals(name) || groups.contains(name);
    }

    private static void check(String what, String name, boolean isPrincipal) {
        boolean at = name.indexOf('@') == name.length() - 1 && name.length() > 1;
        if (!isName(name) || name.isEmpty() || isPrincipal && !at) throw wrong("'%s' is no name of a %s", name, what);
    }

    private static boolean isName(String name) {
        return name.length() <= NAME_MAX && name.chars().allMatch(c -> c > ' ' && c < 0x7f && c != ':');
    }

    private static RuntimeException wrong(String format, Object... args) {
        return Fault.of(FaultCode.INVAL, format, args).asException();
    }
}
