package io.daosmesh.itests.sim.history;

/**
 * One call of one client. Immutable.
 *
 * @param operation what was asked and, for a call that has ended, what was answered
 * @param respondedNs {@link #NEVER} if its outcome is unknown: it may take effect at any time after it began, or never
 */
public record Call<O>(int client, O operation, long invokedNs, long respondedNs) {
    public static final long NEVER = Long.MAX_VALUE;

    public Call {
        if (respondedNs < invokedNs) throw new IllegalArgumentException("answered before it was asked");
    }

    public boolean isOpen() {
        return respondedNs == NEVER;
    }

    @Override
    public String toString() {
        return "client " + client + " " + operation + " [" + invokedNs / 1_000 + ", "
                + (isOpen() ? "open" : respondedNs / 1_000) + "] us";
    }
}
