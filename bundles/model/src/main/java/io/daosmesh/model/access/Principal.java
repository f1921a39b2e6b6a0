package io.daosmesh.model.access;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Comparator;

/**
 * Whom an entry of an access control list speaks of. Immutable; ordered as entries are: owner, users, owner's group, groups,
 * everyone.
 *
 * @param name of a user or group with its {@code @}; empty for the special ones
 */
public record Principal(Kind kind, String name) implements Comparable<Principal> {
    /** In the order of entries. */
    public enum Kind {
        OWNER("OWNER@", "Owner"),
        USER("", "User"),
        OWNER_GROUP("GROUP@", "Owner-Group"),
        GROUP("", "Group"),
        EVERYONE("EVERYONE@", "Everyone");

        private final String special;
        private final String words;

        Kind(String special, String words) {
            this.special = special;
            this.words = words;
        }
    }

    public static final Principal OWNER = new Principal(Kind.OWNER, "");
    public static final Principal OWNER_GROUP = new Principal(Kind.OWNER_GROUP, "");
    public static final Principal EVERYONE = new Principal(Kind.EVERYONE, "");

    public Principal {
        boolean isNamed = kind == Kind.USER || kind == Kind.GROUP;
        if (isNamed) checkName(name);
        else if (!name.isEmpty()) throw wrong(name);
    }

    public static Principal user(String name) {
        return new Principal(Kind.USER, name);
    }

    public static Principal group(String name) {
        return new Principal(Kind.GROUP, name);
    }

    /** As entries name them: {@code OWNER@}, {@code GROUP@} and names of groups only with the group flag. */
    static Principal parse(String name, boolean isGroup) {
        boolean needsGroup = name.equals(Kind.OWNER_GROUP.special);
        boolean needsNone = name.equals(Kind.OWNER.special) || name.equals(Kind.EVERYONE.special);
        if (needsGroup && !isGroup || needsNone && isGroup) {
            throw Fault.of(FaultCode.INVAL, "%s %s the group flag", name, needsGroup ? "needs" : "cannot have")
                    .remedy("write A:G:GROUP@:..., A::OWNER@:... and A::EVERYONE@:...")
                    .asException();
        }
        if (needsGroup) return OWNER_GROUP;
        if (needsNone) return name.equals(Kind.OWNER.special) ? OWNER : EVERYONE;
        return isGroup ? group(name) : user(name);
    }

    /** As commands name them: {@code OWNER@}, {@code GROUP@}, {@code EVERYONE@}, {@code u:name@} or {@code g:name@}. */
    public static Principal parse(String text) {
        if (text.equals(Kind.OWNER.special)) return OWNER;
        if (text.equals(Kind.OWNER_GROUP.special)) return OWNER_GROUP;
        if (text.equals(Kind.EVERYONE.special)) return EVERYONE;
        if (text.startsWith("u:")) return user(text.substring(2));
        if (text.startsWith("g:")) return group(text.substring(2));
        throw wrong(text);
    }

    /** What a user or group may be called; the special names are nobody's. INVAL for others. */
    public static void checkName(String name) {
        boolean fits = name.length() <= User.NAME_MAX && name.chars().allMatch(c -> c > ' ' && c < 0x7f && c != ':');
        boolean isLocal = name.length() > 1 && name.indexOf('@') == name.length() - 1;
        boolean isSpecial = name.equals(Kind.OWNER.special)
                || name.equals(Kind.OWNER_GROUP.special)
                || name.equals(Kind.EVERYONE.special);
        if (!fits || !isLocal || isSpecial) throw wrong(name);
    }

    boolean isGroup() {
        return kind == Kind.OWNER_GROUP || kind == Kind.GROUP;
    }

    boolean isNamed() {
        return !name.isEmpty();
    }

    /** As it stands in an entry. */
    String inEntry() {
        return isNamed() ? name : kind.special;
    }

    /** For comments. */
    String words() {
        return isNamed() ? kind.words + " " + name : kind.words;
    }

    @Override
    public int compareTo(Principal other) {
        return Comparator.comparing(Principal::kind)
                .thenComparing(Principal::name)
                .compare(this, other);
    }

    /** As commands name it. */
    @Override
    public String toString() {
        return switch (kind) {
            case USER -> "u:" + name;
            case GROUP -> "g:" + name;
            default -> kind.special;
        };
    }

    private static RuntimeException wrong(String name) {
        return Fault.of(FaultCode.INVAL, "'%s' is no principal", Ace.shown(name))
                .remedy("use OWNER@, GROUP@, EVERYONE@, or a local name such as ada@ (u:ada@ and g:labs@ to delete)")
                .asException();
    }
}
