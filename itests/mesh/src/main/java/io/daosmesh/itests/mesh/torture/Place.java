package io.daosmesh.itests.mesh.torture;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A place for values with the model of what it may hold. One thread writes it; others read it beside that, one at a time. Whoever
 * finds something else than the model allows tells the journal.
 */
final class Place {
    private static final Duration CALL_MAX = Duration.ofSeconds(100);
    /** With more writes of unknown outcome nearly every answer could be right. */
    private static final int UNKNOWN_MAX = 200;

    private final Promise promise;
    /** As the writer's client sees it. */
    private final Spot own;
    /** The same as another client sees it. */
    private final Spot other;

    private final Content content;
    private final Journal journal;
    private final ReentrantLock model = new ReentrantLock();
    private final ReentrantLock reader = new ReentrantLock();
    private final Register register = new Register();

    Place(Promise promise, Spot own, Spot other, Content content, Journal journal) {
        this.promise = promise;
        this.own = own;
        this.other = other;
        this.content = content;
        this.journal = journal;
    }

    Promise promise() {
        return promise;
    }

    Spot spot() {
        return own;
    }

    boolean mayWrite() {
        return guarded(register::unknown) < UNKNOWN_MAX;
    }

    /** Writes that have begun by now. */
    int writes() {
        return guarded(register::last);
    }

    Optional<Boolean> isThere() {
        return guarded(register::isThere);
    }

    private <T> T guarded(Supplier<T> of) {
        model.lock();
        try {
            return of.get();
        } finally {
            model.unlock();
        }
    }

    /** False if it was not acknowledged. */
    boolean write(boolean isRemoval) {
        int number = guarded(() -> register.begin(isRemoval, journal.nowMs()));
        String call = promise.objectClass() + (isRemoval ? " remove" : " write");
        long beganMs = journal.nowMs();
        try {
            if (isRemoval) own.remove().block(CALL_MAX);
            else own.write(content.value(number, own.length(number))).block(CALL_MAX);
        } catch (RuntimeException e) {
            long endedMs = journal.nowMs();
            guarded(() -> {
                register.giveUp(number, endedMs);
                return true;
            });
            failed(call, e);
            return false;
        }
        long endedMs = journal.nowMs();
        guarded(() -> {
            register.acknowledge(number, endedMs);
            return true;
        });
        journal.done(call, endedMs - beganMs);
        return true;
    }

    /** What became of a read. */
    enum Answer {
        /** Somebody else reads it. */
        NOT_ASKED,
        FAILED,
        ANSWERED
    }

    /** @param isOther with the client that does not write it */
    Answer read(boolean isOther) {
        if (!reader.tryLock()) return Answer.NOT_ASKED;
        try {
            int before = guarded(register::acknowledged);
            String call = promise.objectClass() + " read";
            long beganMs = journal.nowMs();
            byte[] found;
            try {
                found = (isOther ? other : own).read().block(CALL_MAX);
            } catch (RuntimeException e) {
                failed(call, e);
                return Answer.FAILED;
            }
            journal.done(call, journal.nowMs() - beganMs);
            check(before, beganMs, found);
            return Answer.ANSWERED;
        } finally {
            reader.unlock();
        }
    }

    private void check(int before, long beganMs, byte @Nullable [] found) {
        Content.Found what = found == null ? null : content.read(found);
        model.lock();
        try {
            String problem = "";
            OptionalInt number = what == null ? OptionalInt.empty() : OptionalInt.of(what.number());
            if (what != null && found != null) {
                if (!what.isRight()) problem = what.problem();
                else if (found.length != own.length(what.number()))
                    problem =
                            "#" + what.number() + " with " + found.length + " bytes, not " + own.length(what.number());
            }
            if (problem.isEmpty()) {
                if (register.read(before, number)) return;
                problem = number.isPresent() ? register.describe(number.getAsInt()) : "absent";
            }
            journal.violation(
                    "%s, read from %.3f s on: came %s; expected %s",
                    this, beganMs / 1e3, problem, register.expected(before));
        } finally {
            model.unlock();
        }
    }

    private void failed(String call, RuntimeException e) {
        journal.failed(call, e, own + ": ");
    }

    @Override
    public String toString() {
        return promise.objectClass() + " " + own;
    }
}
