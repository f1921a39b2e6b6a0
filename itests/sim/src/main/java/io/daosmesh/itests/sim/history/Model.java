package io.daosmesh.itests.sim.history;

import org.jspecify.annotations.Nullable;

/**
 * What a thing does when its calls come one after the other. Stateless.
 *
 * @param <S> a state: immutable, with equals and hashCode
 * @param <O> an operation together with what was answered
 */
public interface Model<S, O> {
    S initial();

    /**
     * The state after the operation; null if in this state it would have been answered otherwise.
     *
     * @param isOpen its outcome is not known: what would change nothing may be refused
     */
    @Nullable
    S apply(S state, O operation, boolean isOpen);

    /** True if it changes nothing in any state. */
    boolean isPure(O operation);
}
