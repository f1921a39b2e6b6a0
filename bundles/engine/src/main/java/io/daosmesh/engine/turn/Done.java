package io.daosmesh.engine.turn;

import io.daosmesh.model.fault.Fault;
import org.jspecify.annotations.Nullable;

/** Told the outcome exactly once, on the target loop unless said otherwise. */
@FunctionalInterface
public interface Done {
    /** @param fault null = done */
    void done(@Nullable Fault fault);
}
