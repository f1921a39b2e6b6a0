package io.daosmesh.admin.command;

import java.util.List;

/**
 * A command that does something, not a group of them. Immutable.
 *
 * @param path its words, as {@code system query}
 * @param description one line
 */
public record CommandLeaf(List<String> path, String description) {
    public CommandLeaf {
        path = List.copyOf(path);
        if (path.isEmpty()) throw new IllegalArgumentException("a command has a name");
    }

    /** In one word, as {@code system-query}. */
    public String name() {
        return String.join("-", path);
    }
}
