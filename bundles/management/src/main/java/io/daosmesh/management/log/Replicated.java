package io.daosmesh.management.log;

/**
 * A deterministic state machine behind a Raft log. Owner: whoever applies the log, one caller at a time. It has no clock and
 * no randomness: what it needs of either comes inside the command. It never throws for a command that was committed: what
 * it refuses is a reply.
 */
public interface Replicated {
    /** Applies a committed {@code LogCommand} and returns the {@code LogReply}. */
    byte[] apply(byte[] command);

    byte[] snapshot();

    /** Takes the place of everything applied before. DER_DF_INCOMPT for an unknown layout, DER_DF_INVAL for damage. */
    void restore(byte[] snapshot);
}
