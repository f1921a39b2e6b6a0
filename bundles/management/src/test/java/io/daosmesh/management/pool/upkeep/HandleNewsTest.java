package io.daosmesh.management.pool.upkeep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.pool.Handles;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A pool on rank 1. */
class HandleNewsTest {
    private final HandleNews news = new HandleNews();
    private final Handles handles = new Handles();
    private final PoolMap map = new PoolMap(
            new UUID(0, 9), 1, List.of(new PoolTarget(0, 1, 0, "/n1", TargetState.UPIN, false, 1, Outage.NONE)));

    private static GroupMap alive(long incarnation) {
        Member m = new Member(1, new UUID(0, 1), "n1:1", "/n1", MemberState.JOINED, incarnation, 1, 0, "", 0);
        return new GroupMap("s", 1, List.of(m));
    }

    private Map<Member, Handles.Gone> due(long nowNs, long incarnation) {
        return news.due(nowNs, map, alive(incarnation), handles);
    }

    @Test
    void shouldTellEachLifeOfARankUntilItHasConfirmed() {
        Map<Member, Handles.Gone> first = due(0, 5);
        assertTrue(first.values().iterator().next().all());
        assertEquals(Map.of(), due(0, 5), "it is under way");
        assertEquals(List.of(1), news.left(map, alive(5), handles));

        first.forEach(news::onTold);
        assertEquals(Map.of(), due(0, 5));
        assertEquals(List.of(), news.left(map, alive(5), handles));

        assertEquals(1, due(0, 6).size());
    }

    @Test
    void shouldPauseWhenARankDoesNotAnswer() {
        due(0, 5);
        news.onUntold(0, 1);

        assertEquals(Map.of(), due(HandleNews.PAUSE_NS - 1, 5));
        assertEquals(1, due(HandleNews.PAUSE_NS, 5).size());
    }

    @Test
    void shouldBeginAnewWithALeadership() {
        due(0, 5).forEach(news::onTold);

        news.forget();

        assertEquals(1, due(0, 5).size());
    }
}
