package io.daosmesh.engine.turn;

import io.daosmesh.model.fault.Fault;
import org.jspecify.annotations.Nullable;

/** Receives a value or a fault exactly once. */
@FunctionalInterface
public interface Answer<T> {
    /** Exactly one of both is null. */
    void answer(@Nullable T value, @Nullable Fault fault);

    default void refuse(Fault fault) {
        answer(null, fault);
    }
}
