package io.daosmesh.model.access;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/** One entry of an access control list: {@code A:G:labs@:rw} lets the group labs read and write. Immutable. */
public record Ace(Principal principal, Permissions permissions) {
    /** What an entry counts in the size of its list, and the step that a name counts in, as in DAOS. */
    private static final int BASE_BYTES = 256;

    private static final int NAME_STEP_BYTES = 64;

    private static final int SHOWN_MAX = 80;

    /** Four fields {@code TYPE:FLAGS:PRINCIPAL:PERMISSIONS}; type A (allow) and flag G (group) are the only ones. */
    public static Ace parse(String text) {
        String[] fields = text.split(":", -1);
        if (fields.length != 4) throw wrong(text, "it has " + fields.length + " fields, not 4");
        if (!fields[0].equals("A")) throw wrong(text, "its type is not A");
        if (!fields[1].isEmpty() && !fields[1].equals("G")) throw wrong(text, "its only flag is G");
        return new Ace(Principal.parse(fields[2], fields[1].equals("G")), Permissions.parse(fields[3]));
    }

    int sizeBytes() {
        if (!principal.isNamed()) return BASE_BYTES;
        int steps = (principal.name().length() + 1 + NAME_STEP_BYTES - 1) / NAME_STEP_BYTES;
        return BASE_BYTES + steps * NAME_STEP_BYTES;
    }

    /** In words, for people who read a list. */
    public String words() {
        return "Allow: " + principal.words() + ": " + permissions.words();
    }

    @Override
    public String toString() {
        return "A:" + (principal.isGroup() ? "G" : "") + ":" + principal.inEntry() + ":" + permissions;
    }

    private static RuntimeException wrong(String text, String why) {
        return Fault.of(FaultCode.INVAL, "'%s' is no entry of an access control list: %s", shown(text), why)
                .remedy("write entries as A::ada@:rw or A:G:labs@:r")
                .asException();
    }

    /** Input that comes back in a message: short and without control characters. */
    static String shown(String text) {
        String start = text.length() > SHOWN_MAX ? text.substring(0, SHOWN_MAX) + "..." : text;
        return start.replaceAll("[^ -~]", "?");
    }
}
