package io.daosmesh.transport.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class AuditTest {
    private static final long MINUTE_NS = 60_000_000_000L;

    private final AtomicLong nowNs = new AtomicLong(1);
    private final Audit audit = new Audit(nowNs::get);

    private void fill(String user, int more) {
        for (int i = 0; i < Audit.LINES_MAX; i++) assertEquals(0, audit.unsaid(user));
        for (int i = 0; i < more; i++) assertEquals(-1, audit.unsaid(user));
    }

    @Test
    void shouldLeaveOutLinesOfAUserWhoHasFilledAMinute() {
        fill("alice@node7", 30);

        assertEquals(0, audit.unsaid("bob@node7"));
        nowNs.addAndGet(MINUTE_NS - 1);
        assertEquals(-1, audit.unsaid("alice@node7"));
        nowNs.addAndGet(1);
        assertEquals(31, audit.unsaid("alice@node7"));
        assertEquals(0, audit.unsaid("alice@node7"));
    }

    @Test
    void shouldCountUsersTogetherWhenThereAreTooMany() {
        for (int i = 0; i < Audit.USERS_MAX; i++) assertEquals(0, audit.unsaid("user" + i));

        for (int i = 0; i < Audit.LINES_MAX; i++) assertEquals(0, audit.unsaid("other" + i));
        assertEquals(-1, audit.unsaid("another"));
        assertEquals(0, audit.unsaid("user3"));
        nowNs.addAndGet(MINUTE_NS);
        assertEquals(0, audit.unsaid("another"));
    }
}
