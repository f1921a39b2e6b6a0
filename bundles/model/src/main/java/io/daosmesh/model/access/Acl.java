package io.daosmesh.model.access;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * An access control list: at most one entry for each principal, in canonical order. Immutable. Grammar, size and rules are
 * those of DAOS (administration facts 8.4).
 */
public final class Acl {
    /** Counted as DAOS does: 256 bytes for an entry, and its name in steps of 64. */
    public static final int SIZE_MAX_BYTES = 64 << 10;

    public static final Acl EMPTY = new Acl(new TreeMap<>());

    private final TreeMap<Principal, Ace> entries;

    private Acl(TreeMap<Principal, Ace> entries) {
        long size = entries.values().stream().mapToLong(Ace::sizeBytes).sum();
        if (size > SIZE_MAX_BYTES) {
            throw Fault.of(
                            FaultCode.OVERFLOW,
                            "an access control list of %d entries has %d bytes, more than %d",
                            entries.size(),
                            size,
                            SIZE_MAX_BYTES)
                    .remedy("name groups rather than users")
                    .asException();
        }
        this.entries = entries;
    }

    /** From entries in any order; INVAL when two speak of the same principal. */
    public static Acl of(Collection<String> lines) {
        TreeMap<Principal, Ace> entries = new TreeMap<>();
        for (String line : lines) {
            Ace ace = Ace.parse(line);
            if (entries.put(ace.principal(), ace) != null) {
                throw Fault.of(FaultCode.INVAL, "two entries speak of %s", ace.principal())
                        .remedy("leave one entry for each principal")
                        .asException();
            }
        }
        return new Acl(entries);
    }

    public static Acl of(String... lines) {
        return of(List.of(lines));
    }

    /** A file: one entry a line; empty lines and what follows a {@code #} at the start of a line say nothing. */
    public static Acl parseFile(String text) {
        return of(text.lines()
                .map(String::strip)
                .filter(l -> !l.isEmpty() && !l.startsWith("#"))
                .toList());
    }

    /** With the other's entries in place of, or besides, what is there. */
    public Acl updated(Acl other) {
        TreeMap<Principal, Ace> next = new TreeMap<>(entries);
        next.putAll(other.entries);
        return new Acl(next);
    }

    /** NONEXIST when no entry speaks of it. */
    public Acl without(Principal principal) {
        TreeMap<Principal, Ace> next = new TreeMap<>(entries);
        if (next.remove(principal) == null) {
            throw Fault.of(FaultCode.NONEXIST, "no entry speaks of %s", principal)
                    .remedy("see get-acl for the entries there are")
                    .asException();
        }
        return new Acl(next);
    }

    public Optional<Permissions> of(Principal principal) {
        return Optional.ofNullable(entries.get(principal)).map(Ace::permissions);
    }

    /**
     * What it gives: as owner what OWNER@ says, else as user what its entry says, else what all its groups' entries say
     * together, else what EVERYONE@ says, else nothing. The first of these that has an entry decides.
     */
    public Permissions permissions(User user, String owner, String group) {
        Optional<Permissions> own = user.user().equals(owner) ? of(Principal.OWNER) : Optional.empty();
        return own.or(() -> of(Principal.user(user.user())))
                .or(() -> ofGroups(user, group))
                .or(() -> of(Principal.EVERYONE))
                .orElse(Permissions.NONE);
    }

    private Optional<Permissions> ofGroups(User user, String owners) {
        return entries.values().stream()
                .filter(e -> switch (e.principal().kind()) {
                    case OWNER_GROUP -> user.isIn(owners);
                    case GROUP -> user.isIn(e.principal().name());
                    default -> false;
                })
                .map(Ace::permissions)
                .reduce(Permissions::and);
    }

    public List<Ace> entries() {
        return List.copyOf(entries.values());
    }

    /** Entries as text, in canonical order. */
    public List<String> lines() {
        return entries.values().stream().map(Ace::toString).toList();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Acl a && entries.equals(a.entries);
    }

    @Override
    public int hashCode() {
        return entries.hashCode();
    }

    @Override
    public String toString() {
        return String.join("\n", lines());
    }
}
