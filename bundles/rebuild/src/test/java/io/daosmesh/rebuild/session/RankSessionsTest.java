package io.daosmesh.rebuild.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.rebuild.plan.Session;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A session ends by itself, whatever gets lost. */
class RankSessionsTest {
    private static final UUID POOL = new UUID(1, 1);

    private final RankSessions sessions = new RankSessions(0);
    private final List<Session> ended = new ArrayList<>();

    private static Session session(int version, long generation) {
        return new Session(POOL, version, generation, 1, "leader", "Rebuild");
    }

    private RankSession opened(Session s) {
        SessionEffects out = (SessionEffects) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {SessionEffects.class}, (self, method, args) -> {
                    assertEquals("cancel", method.getName());
                    ended.add(s);
                    return null;
                });
        return new RankSession(s, 0, out);
    }

    private void admit(Session s, long nowNs) {
        sessions.admit(s, nowNs, () -> opened(s));
    }

    private static FaultCode codeOf(Runnable work) {
        return assertThrows(FaultException.class, work::run).code();
    }

    @Test
    void shouldLetTheNewestSessionOfAPoolWin() {
        Session first = session(5, 1);
        admit(first, 0);
        RankSession running = sessions.of(first);
        admit(first, 0);
        assertEquals(running, sessions.of(first), "asked again");

        Session newer = session(5, 2);
        admit(newer, 0);

        assertEquals(List.of(first), ended);
        assertEquals(FaultCode.NONEXIST, codeOf(() -> sessions.of(first)));
        assertEquals(FaultCode.STALE, codeOf(() -> admit(first, 0)));
        assertFalse(sessions.finish(first));
        assertTrue(sessions.finish(newer));
        assertFalse(sessions.finish(newer), "asked again");
        assertTrue(sessions.all().isEmpty());
    }

    @Test
    void shouldEndWithTheNextMapOfItsPool() {
        Session s = session(5, 1);
        admit(s, 0);

        assertFalse(sessions.onMap(POOL, 5));
        assertFalse(sessions.onMap(new UUID(1, 2), 9));
        assertTrue(sessions.onMap(POOL, 6));

        assertEquals(List.of(s), ended);
        assertTrue(sessions.all().isEmpty());
        assertFalse(sessions.onMap(POOL, 7));
    }

    @Test
    void shouldEndWithItsPool() {
        admit(session(5, 1), 0);

        sessions.onPoolGone(POOL);

        assertEquals(1, ended.size());
        assertTrue(sessions.all().isEmpty());
    }

    @Test
    void shouldEndWhenItsLeaderSaysNothingAnyMore() {
        Session s = session(5, 1);
        admit(s, 0);
        sessions.heard(s, 10);
        // another rank that still sends what it finds is no sign of the leader
        sessions.of(s);

        sessions.onTick(10 + RankSessions.SILENT_MAX_NS);
        assertEquals(List.of(), ended);
        sessions.onTick(11 + RankSessions.SILENT_MAX_NS);

        assertEquals(List.of(s), ended);
        assertEquals(FaultCode.NONEXIST, codeOf(() -> sessions.of(s)));
    }

    @Test
    void shouldRefuseMoreSessionsThanItHasRoomFor() {
        for (int i = 0; i < RankSessions.SESSIONS_MAX; i++)
            admit(new Session(new UUID(2, i), 5, 1, 1, "leader", "Rebuild"), 0);

        assertEquals(FaultCode.BUSY, codeOf(() -> admit(session(5, 1), 0)));
        admit(new Session(new UUID(2, 7), 6, 1, 1, "leader", "Rebuild"), 0);
        assertEquals(RankSessions.SESSIONS_MAX, sessions.all().size());
    }
}
