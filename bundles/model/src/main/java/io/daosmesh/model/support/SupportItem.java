package io.daosmesh.model.support;

import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One file of a collection: a file of the machine, or a text that is made when its turn comes. Immutable.
 *
 * @param name with folders before it, as {@code log/daos.log}
 * @param file null for a text; of a long one the end is taken
 * @param text null for a file; what it throws takes the text's place
 */
public record SupportItem(
        String name, @Nullable Path file, @Nullable Supplier<String> text) {
    public static SupportItem of(String name, Path file) {
        return new SupportItem(name, file, null);
    }

    /** Secrets are taken out of the text. */
    public static SupportItem of(String name, Supplier<String> text) {
        return new SupportItem(name, null, text);
    }
}
