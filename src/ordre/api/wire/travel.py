"""Itineraries and reservations of travel orders."""

from msgspec import UNSET, field

from ordre.api.wire.common import DateTime, LineId, Maybe, Number, ShortText, Text, Wire
from ordre.api.wire.parties import Place


class ExternalId(Wire):
    """What something is called in another system.

    Attributes:
        id: The id in the other system
        source: The other system
        description: What it is, for people
    """

    id: Maybe[ShortText] = UNSET
    source: Maybe[ShortText] = UNSET
    description: Maybe[Text] = UNSET


class Stop(Place):
    """Where a leg starts or ends.

    Attributes:
        id: The stop's id
        name: The stop's name
        external_ids: What the stop is called in other systems
    """

    id: Maybe[ShortText] = UNSET
    name: Maybe[ShortText] = UNSET
    external_ids: Maybe[list[ExternalId]] = UNSET


class Measure(Wire):
    """A distance or a duration.

    Attributes:
        value: The number; metres for a distance, seconds for a duration
    """

    value: Maybe[Number] = UNSET


class Ticket(Wire):
    """A ticket for a leg.

    Attributes:
        class_: Class of travel
        line: The line that it is good for
        seat: The seat
        zone: The zone
        passenger_id: The passengers that it is for
    """

    class_: Maybe[ShortText] = field(default=UNSET, name="class")
    line: Maybe[ShortText] = UNSET
    seat: Maybe[ShortText] = UNSET
    zone: Maybe[ShortText] = UNSET
    passenger_id: Maybe[list[ShortText]] = UNSET


class Waypoint(Wire):
    """A place that a leg passes.

    Attributes:
        latitude: Degrees north
        longitude: Degrees east
        display_name: What to call it
        arrival_schedule_at: When arrival is planned, as text
        departure_schedule_at: When departure is planned, as text
    """

    latitude: Maybe[Number] = UNSET
    longitude: Maybe[Number] = UNSET
    display_name: Maybe[ShortText] = UNSET
    arrival_schedule_at: Maybe[ShortText] = UNSET
    departure_schedule_at: Maybe[ShortText] = UNSET


class Leg(Wire):
    """One entry of the order's itinerary. Its times are free text in the reference.

    Attributes:
        id: The leg's id
        operator: Who runs it
        arrival_address: Where it ends
        arrival_at: When it ends, as text
        departure_address: Where it begins
        departure_at: When it begins, as text
        travel_mode: How one travels, such as `BUS`
        route_id: The route
        vehicle_id: The vehicle
        summary: The leg in a sentence
        distance: How far, in metres
        duration: How long, in seconds
        tickets: The tickets for it
        line_ids: The order lines that pay for it
        waypoints: What it passes
    """

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
    """Who travels.

    Attributes:
        id: The passenger's id, which tickets name
        title: Title
        first_name: First name
        last_name: Last name
    """

    id: Maybe[ShortText] = UNSET
    title: Maybe[ShortText] = UNSET
    first_name: Maybe[ShortText] = UNSET
    last_name: Maybe[ShortText] = UNSET


class Insurance(Wire):
    """An insurance of a journey.

    Attributes:
        insurance_company: Who insures
        insurance_type: What is insured
    """

    insurance_company: Maybe[ShortText] = UNSET
    insurance_type: Maybe[ShortText] = UNSET


class ReservedLeg(Wire):
    """A leg that is reserved.

    Attributes:
        departure_address: Where it begins
        departure_at: When it begins
        arrival_address: Where it ends
        arrival_at: When it ends
        operator: Who runs it
        class_: Class of travel
        line: The line
        seat: The seat
        zone: The zone
        expires_at: Until when the reservation is good
        activates_at: From when the reservation is good
        passenger_id: The passengers that it is for
    """

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
    """A reservation with anything but a car.

    Attributes:
        booking_id: The booking's id; `q` finds the order by it
        line_ids: The order lines that pay for it
        passengers: Who travels
        itinerary: The legs that are reserved
        insurance: What is insured
    """

    booking_id: Maybe[ShortText] = UNSET
    line_ids: Maybe[list[LineId]] = UNSET
    passengers: Maybe[list[Passenger]] = UNSET
    itinerary: Maybe[list[ReservedLeg]] = UNSET
    insurance: Maybe[list[Insurance]] = UNSET


class CarLeg(Wire):
    """One rental of a car.

    Attributes:
        rental_company: Who rents the car out
        drivers_id: Who drives
        pick_up_address: Where to get the car
        pick_up_at: When to get it
        drop_off_address: Where to bring it back
        drop_off_at: When to bring it back
        class_: Class of car
    """

    rental_company: Maybe[ShortText] = UNSET
    drivers_id: Maybe[list[ShortText]] = UNSET
    pick_up_address: Maybe[Place] = UNSET
    pick_up_at: Maybe[DateTime] = UNSET
    drop_off_address: Maybe[Place] = UNSET
    drop_off_at: Maybe[DateTime] = UNSET
    class_: Maybe[ShortText] = field(default=UNSET, name="class")


class CarReservation(Wire):
    """A reservation of a car.

    Attributes:
        booking_id: The booking's id; `q` finds the order by it
        line_ids: The order lines that pay for it
        itinerary: The rentals
        drivers: Who may drive
        insurance: What is insured
    """

    booking_id: Maybe[ShortText] = UNSET
    line_ids: Maybe[list[LineId]] = UNSET
    itinerary: Maybe[list[CarLeg]] = UNSET
    drivers: Maybe[list[ShortText]] = UNSET
    insurance: Maybe[list[Insurance]] = UNSET


class Attachment(Wire):
    """A reservation of one of seven kinds.

    Attributes:
        id: The attachment's id
        bus_reservation: A bus
        car_reservation: A car
        ferry_reservation: A ferry
        metro_reservation: A metro
        taxi_reservation: A taxi
        train_reservation: A train
        tram_reservation: A tram
    """

    id: Maybe[ShortText] = UNSET
    bus_reservation: Maybe[Reservation] = UNSET
    car_reservation: Maybe[CarReservation] = UNSET
    ferry_reservation: Maybe[Reservation] = UNSET
    metro_reservation: Maybe[Reservation] = UNSET
    taxi_reservation: Maybe[Reservation] = UNSET
    train_reservation: Maybe[Reservation] = UNSET
    tram_reservation: Maybe[Reservation] = UNSET
