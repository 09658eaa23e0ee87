"""The rows of the fault table for links (1xxx) and machines (2xxx)."""

from __future__ import annotations

from packline.core.fault_kinds import FaultKind, Severity

W, H, C = Severity.WARNING, Severity.HIGH, Severity.CRITICAL

DEVICE_FAULTS: tuple[FaultKind, ...] = (
    # 1xxx link
    FaultKind(
        1001,
        "machine not reachable",
        "The station waits; the line's image is kept.",
        "Check power and cable; it reconnects by itself.",
        H,
    ),
    FaultKind(
        1002,
        "status stale",
        "No valid status for 1 s; the station takes no new job.",
        "Check the machine's network; it recovers by itself.",
        H,
    ),
    FaultKind(
        1003,
        "status corrupt",
        "Frames arrive with a wrong checksum or magic.",
        "Call the integrator: map version, address base and word order of the machine file do not fit the machine.",
        H,
    ),
    FaultKind(
        1004,
        "machine answers with an exception",
        "The machine refuses the request.",
        "Check unit id and register map against the machine file.",
        H,
    ),
    FaultKind(
        1005,
        "camera gives no fresh frame",
        "No frame newer than the question; nothing is judged from an old picture.",
        "Check the camera and its network.",
        H,
    ),
    FaultKind(
        1006,
        "scanner not reachable",
        "Scans from this device do not arrive.",
        "Check the scanner's network; use the keyboard wedge meanwhile.",
        W,
    ),
    FaultKind(
        1007,
        "subscriber not reachable",
        "Tracking events wait in the outbox.",
        "Check the subscriber's address; events are kept and sent later.",
        W,
    ),
    FaultKind(
        1008,
        "events not delivered",
        "Events for this subscriber were given up; the others go on.",
        "Find out why the subscriber did not take them, then retry to send them again.",
        W,
    ),
    FaultKind(
        1009,
        "sensor value not good",
        "A value that the station stands on is stale or bad; the station takes no new job.",
        "Check the sensor; packline watch shows each tag with its quality and the reason.",
        H,
    ),
    FaultKind(
        1010,
        "machine is not what its file says",
        "A tag does not show what the machine file expects; nothing is written to this machine.",
        "Check address, unit id, model and firmware; then the [expect] part of the machine file.",
        H,
    ),
    FaultKind(
        1011,
        "certificate not trusted",
        "Nobody here said that the device's certificate is to be believed; nothing was sent to it.",
        "Compare its fingerprint with the device's own panel, then packline pki trust.",
        H,
    ),
    FaultKind(
        1012,
        "certificate out of date",
        "The device's certificate has run out, or is not valid yet; nothing was sent to it.",
        "Check both clocks; renew the certificate at the device and trust the new one.",
        H,
    ),
    FaultKind(
        1013,
        "certificate of another device",
        "The certificate names another host or application; nothing was sent.",
        "Check address and cable; if the device is right, say server_name or server_uri in the site file.",
        H,
    ),
    FaultKind(
        1014,
        "certificate not fit for this",
        "The device's certificate is not made for this use, or its key is too weak; nothing was sent.",
        "Make a new certificate at the device: server authentication, RSA of 2048 bits or more, SHA-256.",
        H,
    ),
    FaultKind(
        1015,
        "device does not offer this security",
        "The device cannot be reached in the way that the site file demands; nothing weaker is tried.",
        "Switch the policy on at the device and let it trust our certificate, or name in the site file what it offers.",
        H,
    ),
    FaultKind(
        1016,
        "device refuses us",
        "The device does not believe our certificate, or not our name and password.",
        "Trust our certificate at the device (packline pki show), check user and password file.",
        H,
    ),
    FaultKind(
        1017,
        "own certificate or secret not usable",
        "Our certificate, its key or a password file is missing, readable by others, or run out.",
        "Mend the file that is named; a certificate is made by packline pki init.",
        H,
    ),
    FaultKind(
        1018,
        "request outside the allow-list",
        "Something asked the device for what its files do not allow; the request was not sent.",
        "Send the log to the maker; if the request is right, widen the machine file or the site file's allow.",
        C,
    ),
    FaultKind(
        1019,
        "connection not protected",
        "The site file does not say how this device is protected, and it is not on this computer; nothing was sent.",
        'Give it a [security] part, or say in words why not: security = "none: closed machine network".',
        H,
    ),
    FaultKind(
        1020,
        "certificate runs out soon",
        "The connection will be refused when it has run out.",
        "Renew it while the line stands still, and trust the new one at the other end.",
        W,
    ),
    FaultKind(
        1021,
        "host not reachable",
        "The host's list of open orders could not be read; what it posts still comes in.",
        "Check the host and its reconcile address in the site file; it is asked again within the hour.",
        W,
    ),
    FaultKind(
        1022,
        "certificate has run out",
        "Connections that stand go on; the next one by this certificate is refused.",
        "Renew it now: our own by packline pki init --renew, a device's at the device; then trust the new one at the other end.",
        H,
    ),
    FaultKind(
        1101,
        "machine owned by another controller",
        "Somebody else claimed this machine; this controller stopped acting on it.",
        "Stop the other controller, then press 'Take the machine back' on the station's page.",
        C,
    ),
    # 2xxx machine
    FaultKind(
        2001,
        "machine stopped",
        "The machine is not in Execute.",
        "Clear the cause at the machine, then press 'Release station'.",
        H,
    ),
    FaultKind(
        2002,
        "machine reports a fault",
        "The machine says itself that something is wrong with it.",
        "Clear it at the machine's own panel, then press 'Release station'.",
        H,
    ),
    FaultKind(
        2003, "job refused", "The machine refused the job.", "See the refusal's reason; retry when it is gone.", H
    ),
    FaultKind(
        2004,
        "job interrupted by a reboot",
        "It is not known how far the machine got.",
        "Look at the parcel and say what happened.",
        H,
    ),
    FaultKind(
        2005,
        "outcome unknown",
        "It is not known whether the machine did it.",
        "Look at the parcel and say what happened.",
        H,
    ),
    FaultKind(
        2006, "job failed", "The machine tried and failed.", "Look at the parcel; retry or send it to clarification.", H
    ),
    FaultKind(
        2007,
        "interlock or e-stop",
        "The safety circuit is open.",
        "Clear the danger, reset the safety circuit at the machine, then press 'Release station'.",
        C,
    ),
    FaultKind(
        2101,
        "printer out of paper",
        "No label can be printed.",
        "Load labels and close the cover; printing resumes.",
        H,
    ),
    FaultKind(2102, "printer cover open", "No label can be printed.", "Close the cover; printing resumes.", H),
    FaultKind(
        2103,
        "printer silent",
        "The printer takes data but does not answer; whether it printed is unknown.",
        "Look at the printer's exit. Only a whole label means that it was done; take anything else away, and say that it was not.",
        H,
    ),
    FaultKind(
        2104,
        "label not on parcel",
        "The camera saw no label after the arm reported it applied.",
        "Is the label on the parcel? 'Try again': the camera looks once more. On the pad, or lost? Take it away, then void and reprint.",
        H,
    ),
    FaultKind(
        2105, "label half printed", "A label left the printer incomplete.", "Discard the half label, then reprint.", H
    ),
    FaultKind(
        2106, "printer error", "The printer reports an error.", "Read the printer's panel, clear it, then retry.", H
    ),
    FaultKind(
        2107,
        "label waiting at the printer",
        "A label that no open job owns is on the peel bar.",
        "Discard the label, then retry.",
        H,
    ),
    FaultKind(
        2201,
        "light is out",
        "The camera sees nothing but darkness; nothing is judged from it.",
        "Switch the light at the camera on, or clear its lens; it goes on by itself.",
        H,
    ),
)
