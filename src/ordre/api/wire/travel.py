"""Itineraries and reservations of travel orders."""

from msgspec import UNSET, field

from ordre.api.wire.common import DateTime, LineId, Maybe, Number, ShortText, Text, Wire
from ordre.api.wire.people import Place


class ExternalId(Wire):
    id: Maybe[ShortText] = UNSET
    source: Maybe[ShortText] = UNSET
    description: Maybe[Text] = UNSET


class Stop(Place):
    """Where a leg starts or ends."""

    id: Maybe[ShortText] = UNSET
    name: Maybe[ShortText] = UNSET
    external_ids: Maybe[list[ExternalId]] = UNSET


class Measure(Wire):
    value: Maybe[Number] = UNSET


class Ticket(Wire):
    class_: Maybe[ShortText] = field(default=UNSET, name="class")
    line: Maybe[ShortText] = UNSET
    seat: Maybe[ShortText] = UNSET
    zone: Maybe[ShortText] = UNSET
    passenger_id: Maybe[list[ShortText]] = UNSET


class Waypoint(Wire):
    latitude: Maybe[Number] = UNSET
    longitude: Maybe[Number] = UNSET
    display_name: Maybe[ShortText] = UNSET
    arrival_schedule_at: Maybe[ShortText] = UNSET
    departure_schedule_at: Maybe[ShortText] = UNSET


class Leg(Wire):
    """One entry of the order's itinerary. Its times are free text in the reference."""

    id: Maybe[ShortText] = UNSET
    operator: Maybe[ShortText] = UNSET
    arrival_address: Maybe[Stop] = UNSET
    arrival_at: Maybe[ShortText] = UNSET
    departure_address: Maybe[Stop] = UNSET
    departure_at: Maybe[ShortText] = UNSET
    travel_mode: Maybe[ShortText] = UNSET
    route_id: Maybe[ShortText] = UNSET
    vehicle_id: Maybe[ShortText] = UNSET
    summary: Maybe[Text] = UNSET
    distance: Maybe[Measure] = UNSET
    duration: Maybe[Measure] = UNSET
    tickets: Maybe[list[Ticket]] = UNSET
    line_ids: Maybe[list[LineId]] = UNSET
    waypoints: Maybe[list[Waypoint]] = UNSET


class Passenger(Wire):
    id: Maybe[ShortText] = UNSET
    title: Maybe[ShortText] = UNSET
    first_name: Maybe[ShortText] = UNSET
    last_name: Maybe[ShortText] = UNSET


class Insurance(Wire):
    insurance_company: Maybe[ShortText] = UNSET
    insurance_type: Maybe[ShortText] = UNSET


class ReservedLeg(Wire):
    departure_address: Maybe[Place] = UNSET
    departure_at: Maybe[DateTime] = UNSET
    arrival_address: Maybe[Place] = UNSET
    arrival_at: Maybe[DateTime] = UNSET
    operator: Maybe[ShortText] = UNSET
    class_: Maybe[ShortText] = field(default=UNSET, name="class")
    line: Maybe[ShortText] = UNSET
    seat: Maybe[ShortText] = UNSET
    zone: Maybe[ShortText] = UNSET
    expires_at: Maybe[DateTime] = UNSET
    activates_at: Maybe[DateTime] = UNSET
    passenger_id: Maybe[list[ShortText]] = UNSET


class Reservation(Wire):
    booking_id: Maybe[ShortText] = UNSET
    line_ids: Maybe[list[LineId]] = UNSET
    passengers: Maybe[list[Passenger]] = UNSET
    itinerary: Maybe[list[ReservedLeg]] = UNSET
    insurance: Maybe[list[Insurance]] = UNSET


class CarLeg(Wire):
    rental_company: Maybe[ShortText] = UNSET
    drivers_id: Maybe[list[ShortText]] = UNSET
    pick_up_address: Maybe[Place] = UNSET
    pick_up_at: Maybe[DateTime] = UNSET
    drop_off_address: Maybe[Place] = UNSET
    drop_off_at: Maybe[DateTime] = UNSET
    class_: Maybe[ShortText] = field(default=UNSET, name="class")


class CarReservation(Wire):
    booking_id: Maybe[ShortText] = UNSET
    line_ids: Maybe[list[LineId]] = UNSET
    itinerary: Maybe[list[CarLeg]] = UNSET
    drivers: Maybe[list[ShortText]] = UNSET
    insurance: Maybe[list[Insurance]] = UNSET


class Attachment(Wire):
    """A reservation of one of seven kinds."""

    id: Maybe[ShortText] = UNSET
    bus_reservation: Maybe[Reservation] = UNSET
    car_reservation: Maybe[CarReservation] = UNSET
    ferry_reservation: Maybe[Reservation] = UNSET
    metro_reservation: Maybe[Reservation] = UNSET
    taxi_reservation: Maybe[Reservation] = UNSET
    train_reservation: Maybe[Reservation] = UNSET
    tram_reservation: Maybe[Reservation] = UNSET
