package io.daosmesh.model.access;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Arrays;
import java.util.stream.Collectors;

/** A set of rights. Immutable. None at all, said to a user, is a refusal. */
public record Permissions(int bits) {
    public static final Permissions NONE = new Permissions(0);

    public static Permissions of(Permission... of) {
        return new Permissions(Arrays.stream(of).mapToInt(Permission::bit).reduce(0, (a, b) -> a | b));
    }

    /** Letters such as {@code rwdt} in any order; INVAL for others. */
    public static Permissions parse(String letters) {
        int bits = 0;
        for (char c : letters.toCharArray()) bits |= bit(c);
        return new Permissions(bits);
    }

    private static int bit(char letter) {
        for (Permission p : Permission.values()) {
            if (p.letter() == letter) return p.bit();
        }
        throw Fault.of(FaultCode.INVAL, "'%s' is no permission", Ace.shown(String.valueOf(letter)))
                .remedy("use letters out of rwcdtTaAo")
                .asException();
    }

    public boolean has(Permission p) {
        return (bits & p.bit()) != 0;
    }

    public boolean hasAny(Permission... of) {
        return (bits & of(of).bits) != 0;
    }

    public boolean isEmpty() {
        return bits == 0;
    }

    public Permissions and(Permissions more) {
        return new Permissions(bits | more.bits);
    }

    public Permissions only(Permissions of) {
        return new Permissions(bits & of.bits);
    }

    /** In words, for comments: {@code Read/Write}. */
    public String words() {
        return isEmpty() ? "None" : joined("/", Permission::words);
    }

    /** Letters in canonical order. */
    @Override
    public String toString() {
        return joined("", p -> String.valueOf(p.letter()));
    }

    private String joined(String by, java.util.function.Function<Permission, String> name) {
        return Arrays.stream(Permission.values()).filter(this::has).map(name).collect(Collectors.joining(by));
    }
}
