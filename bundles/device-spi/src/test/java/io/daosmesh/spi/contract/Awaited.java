package io.daosmesh.spi.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.spi.BlockDevice.Completion;
import io.daosmesh.spi.DeviceStatus;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A completion a test waits for; counts answers so that a second one is seen. Any thread. */
public final class Awaited implements Completion {
    /** Longer than the 3 s a driver may take to close, with room for a busy machine. */
    public static final long DEADLINE_S = 30;

    private final CountDownLatch answered = new CountDownLatch(1);
    private final AtomicInteger answers = new AtomicInteger();
    private volatile DeviceStatus status = DeviceStatus.INVALID;
    private volatile String detail = "";

    @Override
    public void done(DeviceStatus answer, String text) {
        status = answer;
        detail = text;
        answers.incrementAndGet();
        answered.countDown();
    }

    public DeviceStatus await() {
        try {
            assertTrue(answered.await(DEADLINE_S, TimeUnit.SECONDS), "a request was never answered");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assertEquals(1, answers.get(), "answers to one request");
        return status;
    }

    public boolean isAnswered() {
        return answers.get() > 0;
    }

    public String detail() {
        return detail;
    }
}
