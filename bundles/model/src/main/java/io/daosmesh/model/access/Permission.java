package io.daosmesh.model.access;

/** One right that an entry of an access control list gives, with the letter that stands for it, in canonical order. */
public enum Permission {
    READ(0x1, 'r', "Read"),
    WRITE(0x2, 'w', "Write"),
    CREATE_CONTAINER(0x4, 'c', "Create-Container"),
    DELETE_CONTAINER(0x8, 'd', "Delete-Container"),
    GET_PROPERTIES(0x10, 't', "Get-Prop"),
    SET_PROPERTIES(0x20, 'T', "Set-Prop"),
    GET_ACL(0x40, 'a', "Get-ACL"),
    SET_ACL(0x80, 'A', "Set-ACL"),
    SET_OWNER(0x100, 'o', "Set-Owner");

    private final int bit;
    private final char letter;
    private final String words;

    Permission(int bit, char letter, String words) {
        this.bit = bit;
        this.letter = letter;
        this.words = words;
    }

    public char letter() {
        return letter;
    }

    public String words() {
        return words;
    }

    /** On the wire and on disk. */
    int bit() {
        return bit;
    }
}
