package io.daosmesh.spi;

/** What the hardware answered. Drivers report it with a detail text and never throw for what hardware does. */
public enum DeviceStatus {
    OK,
    /** The address names nothing this driver can see. */
    NOT_FOUND,
    /** The device was removed or its driver is closing; the request may be tried again elsewhere. */
    GONE,
    /** A read or write failed on the medium. */
    MEDIA_ERROR,
    /** The backing store has no room left. */
    NO_SPACE,
    /** Offset, length or buffer break the device's geometry. */
    INVALID,
    /** The driver does not offer this operation for this device (DER_NOSYS). */
    UNSUPPORTED,
    /** The bounded queue is full; try again later (DER_BUSY). */
    BUSY,
    /** Somebody else holds the device. */
    IN_USE
}
