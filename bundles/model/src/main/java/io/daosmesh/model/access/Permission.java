package io.daosmesh.model.access;

/** One right that an entry of an access control list gives, with the letter that stands for it, in canonical order. */
public enum Permission {
    READ('r', "Read"),
    WRITE('w', "Write"),
    CREATE_CONTAINER('c', "Create-Container"),
    DELETE_CONTAINER('d', "Delete-Container"),
    GET_PROPERTIES('t', "Get-Prop"),
    SET_PROPERTIES('T', "Set-Prop"),
    GET_ACL('a', "Get-ACL"),
    SET_ACL('A', "Set-ACL"),
    SET_OWNER('o', "Set-Owner");

    private final char letter;
    private final String words;

    Permission(char letter, String words) {
        this.letter = letter;
        this.words = words;
    }

    public char letter() {
        return letter;
    }

    public String words() {
        return words;
    }

    int bit() {
        return 1 << ordinal();
    }
}
